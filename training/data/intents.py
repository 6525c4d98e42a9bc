"""The 11 intents. Their order is the order of the label indices, which is the model's contract: do not reorder."""

INTENTS: tuple[str, ...] = (
    "answer_question_external_fact",
    "answer_question_recipe_steps",
    "ask_question_ingredients_tools",
    "ask_question_recipe_steps",
    "ask_student_question",
    "chitchat",
    "misc",
    "request_next_step",
    "return_list_ingredients_tools",
    "return_next_step",
    "stop",
)
