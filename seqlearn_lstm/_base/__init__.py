"""What the front doors share: parameters, reading, fitting, predicting."""
