"""Names the classes of each dataset, in the order in which they are numbered."""

SMIC_3 = ("negative", "positive", "surprise")
CMU_FACES_3 = ("angry", "happy", "sad")
