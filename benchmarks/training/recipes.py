"""The ways to train that are compared, all with the same encoder and the same rows."""

PUBLISHED, REFERENCE, DEFAULT = "published", "reference", "default"
# Way -> what it is.
WAYS = {
    PUBLISHED: "the reference recipe as it was published: text in, tokenised in every step, padded to 128",
    REFERENCE: "the reference recipe in this project's loop: tokenised once, padded to the batch's longest row",
    DEFAULT: "this project's recipe `default`",
}
