"""What signals of the telephone can be heard."""

import numpy as np

RINGING = (440, 480)  # ITU-T E.180, of North America
FRAME = 800  # samples of 0.1 s


def seconds_of(heard: np.ndarray, tones: tuple[int, ...] = RINGING) -> float:
    """How long these tones, and hardly anything else, are in 8 kHz samples."""
    frames = heard[: len(heard) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1)) ** 2
    bins = [tone * FRAME // 8000 + near for tone in tones for near in (-1, 0, 1)]
    loud = power.sum(axis=1) > FRAME**2 * 50**2 / 8
    pure = power[:, sorted(set(bins))].sum(axis=1) > 0.9 * power.sum(axis=1)
    return float(np.sum(loud & pure)) / 10
