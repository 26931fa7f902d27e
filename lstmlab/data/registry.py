"""The files that can be downloaded: address, hash, place and licence of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Download:
    """One downloadable file.

    Attributes:
        name: what `fetch` calls it.
        url: where it comes from.
        filename: where it is kept, relative to the data directory.
        known_hash: `"sha256:…"` or `"md5:…"`.
        licence: under which terms the source offers it.
        also: other places, relative to the data directory, where it counts as found.
    """

    name: str
    url: str
    filename: str
    known_hash: str
    licence: str
    also: tuple[str, ...] = ()

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
        also=(f"MNIST/raw/{part}-ubyte.gz",),  # where torchvision keeps it
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
            name="moving_mnist_test",
            url="https://www.cs.toronto.edu/~nitish/unsupervised_video/mnist_test_seq.npy",
            filename="moving_mnist/mnist_test_seq.npy",
            known_hash="sha256:c2a3e8d3939c001ab77bf543f130157424efa486bb4d0974d2cebb773b13f8b3",
            licence="none stated; made of MNIST, CC BY-SA 3.0, Yann LeCun and Corinna Cortes",
            also=("mnist_test_seq.npy",),
        ),
        _mnist("train-images-idx3", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        _mnist("train-labels-idx1", "d53e105ee54ea40749a09fcbcd1e9432"),
        _mnist("t10k-images-idx3", "9fb629c4189551a2d022fa330f9573f3"),
        _mnist("t10k-labels-idx1", "ec29112dd5afa0611ce80d1b7f02629c"),
    )
}
