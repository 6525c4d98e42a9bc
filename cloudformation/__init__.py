"""The fleet on AWS: the templates of its stacks, and the command that deploys and runs them."""
