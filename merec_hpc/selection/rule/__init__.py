"""Selection by a rule of four genes: how to weigh features, not which of them to keep.

Of the training clips alone a rule learns how people differ (kappa), how much a feature says about
the classes (p), and a squared-hinge machine with an intercept (b) at a penalty (C). Rules are judged
on groups of subjects that are left out, without which everything is learnt anew.
"""
