"""The ConfigProto of every session, from flags and file."""

from tensorflow.core.protobuf.config_pb2 import ConfigProto

from model_server.command_line import Options
from model_server.config.config import read_text
from model_server.graph.run_pools import add_pools


def session_config(options: Options, cpus: int) -> ConfigProto:
    """Flags go before the file; what neither sets is 1 thread within an op and one a core between ops.

    Single rows of small models run two to three times faster on one thread than split over two. For the same reason the
    threads between ops, unless flags or file say how many, are pools of their own: see `run_pools`.
    """
    config = ConfigProto()
    if options.tensorflow_session_config_file:
        read_text(options.tensorflow_session_config_file, config)
    else:
        # Idle threads that look for work in a loop take CPU from those that have some.
        config.experimental.disable_thread_spinning = True
    both = options.tensorflow_session_parallelism
    intra = options.tensorflow_intra_op_parallelism or both or config.intra_op_parallelism_threads or 1
    inter = options.tensorflow_inter_op_parallelism or both or config.inter_op_parallelism_threads
    if not inter and not config.session_inter_op_thread_pool:
        add_pools(config, cpus)
    config.intra_op_parallelism_threads, config.inter_op_parallelism_threads = intra, inter or cpus
    return config
