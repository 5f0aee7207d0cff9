"""The API, row by row. Paths are under `/v1` and `/api/v1`."""

from service.api import calls, numbers, webhooks
from service.api.route import ADMIN, READ, WRITE, Route
from service.api.schemas import CallQuery, CreateCall, CreateNumber, Paging, RecordingQuery, UpdateWebhook, Webhook

ROUTES = (
    Route(
        "POST",
        "/voice/calls",
        calls.create,
        "Initiate a call",
        WRITE,
        CreateCall,
        shows="Call",
        status=201,
        errors=(409,),
    ),
    Route("GET", "/voice/calls", calls.page, "List calls", READ, query=CallQuery, shows="Call", many=True),
    Route("GET", "/voice/calls/{id}", calls.get, "Get a call", READ, shows="Call"),
    Route("POST", "/voice/calls/{id}/hangup", calls.hangup, "Hang up a call", WRITE, shows="Call", errors=(409,)),
    Route(
        "GET", "/voice/calls/{id}/events", calls.events, "The timeline of a call", READ, shows="TimelineRow", many=True
    ),
    Route(
        "GET",
        "/voice/calls/{id}/recording",
        calls.recording,
        "The recording of a call, WAV",
        READ,
        query=RecordingQuery,
        shows="audio/wav",
        open=True,
    ),
    Route(
        "POST",
        "/numbers",
        numbers.create,
        "Register a number",
        WRITE,
        CreateNumber,
        shows="Number",
        status=201,
        errors=(409,),
    ),
    Route("GET", "/numbers", numbers.page, "List numbers", READ, query=Paging, shows="Number", many=True),
    Route("GET", "/numbers/{id}", numbers.get, "Get a number", READ, shows="Number"),
    Route("DELETE", "/numbers/{id}", numbers.delete, "Give a number back", WRITE, status=204),
    Route(
        "POST",
        "/webhooks",
        webhooks.create,
        "Subscribe an endpoint to events",
        ADMIN,
        Webhook,
        shows="NewWebhook",
        status=201,
        errors=(409,),
    ),
    Route("GET", "/webhooks", webhooks.page, "List webhook endpoints", ADMIN, query=Paging, shows="Webhook", many=True),
    Route("GET", "/webhooks/{id}", webhooks.get, "Get a webhook endpoint", ADMIN, shows="Webhook"),
    Route("PUT", "/webhooks/{id}", webhooks.update, "Update a webhook endpoint", ADMIN, UpdateWebhook, shows="Webhook"),
    Route("DELETE", "/webhooks/{id}", webhooks.delete, "Delete a webhook endpoint", ADMIN, status=204),
    Route("POST", "/webhooks/{id}/test", webhooks.test, "Send a test event", ADMIN, shows="Delivery", errors=(409,)),
    Route(
        "GET",
        "/webhooks/{id}/deliveries",
        webhooks.deliveries,
        "What was sent to an endpoint",
        ADMIN,
        query=Paging,
        shows="Delivery",
        many=True,
    ),
    Route(
        "POST",
        "/webhooks/{id}/deliveries/{delivery_id}/replay",
        webhooks.replay,
        "Send a failed delivery again",
        ADMIN,
        shows="Delivery",
        errors=(409,),
    ),
)
