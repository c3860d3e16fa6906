"""Networks that are trained on images of training subjects, and predict those of others."""
