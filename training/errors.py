"""What a training command says when it cannot go on."""


class TrainingError(Exception):
    """English, for developers: names the value, the place and the next step."""
