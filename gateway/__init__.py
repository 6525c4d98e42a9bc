"""The HTTP gateway: JSON in, gRPC Predict out. It never imports TensorFlow, nor any other folder of the repository."""
