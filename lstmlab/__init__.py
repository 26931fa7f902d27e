"""lstmlab: compare recurrent cells fairly."""
