"""The one exception that tells a user what to mend."""


class InputError(ValueError):
    """Something that was given is wrong: a file, a setting, a data set.

    The message names the file or key, says what was expected and how to mend it; stages print it without a traceback.
    """
