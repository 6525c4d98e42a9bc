"""Text preprocessing as a hub-shaped SavedModel: what TensorFlow Hub's `bert_en_uncased_preprocess` offers.

Calling it: string [batch] -> dict of `input_word_ids`, `input_mask`, `input_type_ids`, int32 [batch, 128].
`tokenize`: string [batch] -> ragged int32 [batch, (pieces)].
`bert_pack_inputs`: list of one or two such ragged tensors, `seq_length` -> the dict, [batch, seq_length].

FastBertTokenizer gives the same ids as Hub's preprocessing and keeps its whole model inside the graph: no asset table.
"""

from pathlib import Path

import tensorflow as tf
import tensorflow_text as tf_text

# The length that Hub's preprocessing packs to when nothing else is asked for.
SEQUENCE_LENGTH = 128
# A text alone, or a text and the turn before it. BERT is trained with at most two segments.
SEGMENTS = (1, 2)


def save_preprocessing(vocabulary: list[str], path: Path) -> None:
    """Writes the preprocessing for an uncased WordPiece vocabulary (one piece a line, order = id)."""
    tokenizer = tf_text.FastBertTokenizer(
        vocab=vocabulary, lower_case_nfd_strip_accents=True, token_out_type=tf.int32, no_pretokenization=False
    )
    start, end, padding = (vocabulary.index(piece) for piece in ("[CLS]", "[SEP]", "[PAD]"))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def tokenize(text: tf.Tensor) -> tf.RaggedTensor:
        return tokenizer.tokenize(text)

    @tf.function
    def bert_pack_inputs(inputs: list[tf.RaggedTensor], seq_length: tf.Tensor) -> dict[str, tf.Tensor]:
        # Hub's preprocessing gives pieces by word, [batch, (words), (pieces)]; here a row's pieces are all that counts.
        rows = [row.merge_dims(1, -1) if row.ragged_rank > 1 else row for row in inputs]
        trimmed = tf_text.RoundRobinTrimmer(max_seq_length=seq_length - len(rows) - 1).trim(rows)
        # Laid out in dense tensors: concatenating ragged ones costs dozens of ops and assertions a call.
        position = tf.range(seq_length)[tf.newaxis, :]
        shape = tf.stack([tf.cast(rows[0].nrows(), tf.int32), seq_length])
        word_ids = tf.where(tf.broadcast_to(position, shape) == 0, start, padding)
        type_ids = tf.zeros(shape, tf.int32)
        begin = tf.ones([shape[0], 1], tf.int32)
        for index, segment in enumerate(trimmed):
            length = tf.cast(segment.row_lengths(), tf.int32)[:, tf.newaxis]
            offset = position - begin
            pieces = tf.gather(segment.to_tensor(padding, shape=shape), tf.maximum(offset, 0), batch_dims=1)
            word_ids = tf.where((offset >= 0) & (offset < length), pieces, word_ids)
            word_ids = tf.where(offset == length, end, word_ids)
            type_ids = tf.where((offset >= 0) & (offset <= length), index, type_ids)
            begin += length + 1
        mask = tf.cast(position < begin, tf.int32)
        return {"input_word_ids": word_ids, "input_mask": mask, "input_type_ids": type_ids}

    for ragged_rank in (1, 2):
        row = tf.RaggedTensorSpec([None] * (ragged_rank + 1), tf.int32, ragged_rank)
        for segments in SEGMENTS:
            bert_pack_inputs.get_concrete_function([row] * segments, seq_length=tf.TensorSpec([], tf.int32))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def preprocess(text: tf.Tensor) -> dict[str, tf.Tensor]:
        packed: dict[str, tf.Tensor] = bert_pack_inputs([tokenize(text)], seq_length=tf.constant(SEQUENCE_LENGTH))
        return packed

    root = tf.train.Checkpoint()
    root.tokenize = tokenize
    root.bert_pack_inputs = bert_pack_inputs
    root.__call__ = preprocess
    tf.saved_model.save(root, str(path))
