"""The learning rate over a training run."""

import tensorflow as tf
import tf_keras


class WarmupThenLinear(tf_keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly over `warmup` steps, then stays or falls linearly to 0 at `steps` (Devlin et al. 2018)."""

    def __init__(self, peak: float, warmup: int, steps: int, decay: bool) -> None:
        self.peak, self.warmup, self.steps, self.decay = peak, warmup, steps, decay

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        done = tf.cast(step, tf.float32)
        rise = (done + 1.0) / self.warmup if self.warmup else 1.0
        fall = (self.steps - done) / (self.steps - self.warmup) if self.decay else 1.0
        return self.peak * tf.clip_by_value(tf.minimum(rise, fall), 0.0, 1.0)

    def get_config(self) -> dict[str, float]:
        return {"peak": self.peak, "warmup": self.warmup, "steps": self.steps, "decay": self.decay}
