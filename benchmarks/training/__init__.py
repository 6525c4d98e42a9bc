"""Speed and memory of training, the reference's way against ours."""
