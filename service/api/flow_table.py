"""The rows of IVR flows and of speech."""

from service.api import ivr
from service.api.flow_schemas import CreateFlow, Simulate, UpdateFlow
from service.api.route import READ, WRITE, Route
from service.api.schemas import Paging

FLOWS = (
    Route(
        "POST",
        "/voice/ivr",
        ivr.create,
        "Create an IVR flow",
        WRITE,
        CreateFlow,
        ivr.check,
        shows="Flow",
        status=201,
    ),
    Route("GET", "/voice/ivr", ivr.page, "List IVR flows", READ, query=Paging, shows="Flow", many=True),
    Route("GET", "/voice/ivr/{id}", ivr.get, "Get an IVR flow", READ, shows="Flow"),
    Route("PUT", "/voice/ivr/{id}", ivr.update, "Update an IVR flow", WRITE, UpdateFlow, ivr.check, shows="Flow"),
    Route("DELETE", "/voice/ivr/{id}", ivr.delete, "Delete an IVR flow", WRITE, status=204, errors=(409,)),
    Route("POST", "/voice/ivr/{id}/simulate", ivr.simulate, "Walk a flow on paper", READ, Simulate, shows="Walk"),
    Route(
        "PUT",
        "/voice/ivr/{id}/greeting",
        ivr.upload,
        "Upload the greeting, up to 10 MB of audio",
        WRITE,
        takes=("audio/wav", "application/octet-stream"),
        shows="Flow",
        errors=(400, 413, 422),
    ),
    Route("DELETE", "/voice/ivr/{id}/greeting", ivr.speak, "Speak the greeting again", WRITE, status=204),
    Route("GET", "/voice/speech/engines", ivr.engines, "Speech engines", READ, shows="SpeechEngine", many=True),
)
