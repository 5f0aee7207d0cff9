"""What can go wrong with speech. Each is an error of the service's tree, so that the API answers it as it is."""

from service.errors import OrbitError


class NothingToSay(OrbitError):
    code, status, message = "VALIDATION_ERROR", 422, "The text has nothing in it that can be spoken."


class TextTooLong(OrbitError):
    code, status, message = "VALIDATION_ERROR", 422, "The text is too long to be spoken."


class NoVoice(OrbitError):
    code, status, message = "VALIDATION_ERROR", 422, "No installed engine speaks this language."


class NotAudio(OrbitError):
    """`str(error)` is the reason, in words for the one who sent the file."""

    code, status, message = "VALIDATION_ERROR", 422, "The file is no audio that can be read."


class SpeechUnavailable(OrbitError):
    """An engine crashed or took too long, an endpoint does not answer, or the disk is full: `str(error)` tells."""

    code, status, message = "SPEECH_UNAVAILABLE", 503, "Speech cannot be made now."
