"""The task moving_mnist."""
