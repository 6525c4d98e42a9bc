"""The fixed utterances that a new version must answer as the trained classifier does, and that warm it up.

Short and long, plain and odd: what a tokenizer, a padding rule or a batch may get wrong.
"""

PROBES: tuple[str, ...] = (
    "Will I be making my own pasta for this recipe or using the packaged store bought kind?",
    "What's next?",
    "ok",
    "Great, the onions are soft and golden now. What should I do after that?",
    "Preheat the oven to 375 degrees and grease a 9x13 inch baking dish.",
    "How many screws will I need?",
    "You will need a drill, a level, wall anchors and a pencil.",
    "Do you want the quick version or every single detail?",
    "Thanks for all your help, I'm done for today!",
    "That smells so good, I wish you could try it.",
    "Baking soda reacts with the acid in buttermilk, which is what makes the pancakes rise.",
    "can i use olive oil insted of butter",
    "",
    " ",
    "?!",
    "Crème brûlée à la façon de grand-mère, naïve jalapeño",
    "把面粉和鸡蛋混合",
    "🍝🍅 yum",
    "half-inch\tplywood\r\nscrews",
    "don't you'll it's we've they'd",
    "1/2 cup, 3.5 oz., 350°F, #8 x 1-1/4",
    "antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    "zero\u200bwidth and a soft\u00adhyphen",
    "IS THE GLUE SUPPOSED TO DRY OVERNIGHT BEFORE I SAND IT",
    "Add the tomatoes, basil and garlic, then let it simmer on low heat for twenty minutes while you cook the pasta. "
    * 3,
    "sand prime paint " * 60,
)
