"""Chats on the wire: questions in, events and answers out.

Here and not in `server/wire`, because these values are the agent's own and imports point downwards.
"""

from __future__ import annotations

__all__ = ["answer_to", "done_to", "event_to", "failure_to", "heartbeat_to", "question_from"]

from tasty.v1 import chat_pb2, stream_pb2
from tasty.v1 import chat_service_pb2 as pb
from tasty.v1.order_placement_pb2 import PlaceOrderResponse

from server.agent.chat_events import (
    Answer,
    Confirmed,
    Event,
    Question,
    Said,
    Status,
    Text,
    TicketMade,
    ToolCall,
    ToolFinished,
    ToolStarted,
    Usage,
    Used,
)
from server.agent.tickets import Ticket
from server.tenants import Tenant

Kind = chat_pb2.ChatEventKind


def question_from(tenant: Tenant, request: pb.ChatRequest | pb.StreamChatRequest) -> Question:
    return Question(
        tenant=tenant,
        message=request.message,
        history=tuple(
            Said(role=each.role, content=each.content) for each in request.message_history
        ),
        account_id=request.account_id.strip(),
    )


def answer_to(question: Question, answer: Answer) -> pb.ChatResponse:
    return pb.ChatResponse(
        response=answer.response,
        message_history=_history(question, answer),
        usage=_usage(answer.usage),
        tool_calls=[_tool_call(each) for each in answer.tool_calls],
        tickets=[_ticket(each) for each in answer.tickets],
        confirmed_order=None if answer.confirmed is None else _confirmed(answer.confirmed),
        model=answer.model,
    )


def event_to(event: Event, elapsed_s: float) -> pb.StreamChatResponse:
    message = pb.StreamChatResponse(elapsed_seconds=elapsed_s)
    match event:
        case Status(text):
            message.kind = Kind.CHAT_EVENT_KIND_STATUS
            message.text = text
        case Text(text):
            message.kind = Kind.CHAT_EVENT_KIND_TEXT
            message.text = text
        case ToolStarted(call):
            message.kind = Kind.CHAT_EVENT_KIND_TOOL_STARTED
            message.tool_call.CopyFrom(_tool_call(call))
        case ToolFinished(call):
            message.kind = Kind.CHAT_EVENT_KIND_TOOL_FINISHED
            message.tool_call.CopyFrom(_tool_call(call))
        case TicketMade(ticket):
            message.kind = Kind.CHAT_EVENT_KIND_ORDER
            message.ticket.CopyFrom(_ticket(ticket))
        case Confirmed():
            message.kind = Kind.CHAT_EVENT_KIND_ORDER
            message.confirmed_order.CopyFrom(_confirmed(event))
        case Used(usage):
            message.kind = Kind.CHAT_EVENT_KIND_USAGE
            message.usage.CopyFrom(_counted(usage))

    return message


def heartbeat_to(elapsed_s: float) -> pb.StreamChatResponse:
    return pb.StreamChatResponse(kind=Kind.CHAT_EVENT_KIND_HEARTBEAT, elapsed_seconds=elapsed_s)


def done_to(question: Question, answer: Answer, elapsed_s: float) -> pb.StreamChatResponse:
    return pb.StreamChatResponse(
        kind=Kind.CHAT_EVENT_KIND_DONE,
        usage=_usage(answer.usage),
        message_history=_history(question, answer),
        elapsed_seconds=elapsed_s,
        response=answer.response,
        model=answer.model,
    )


def failure_to(reason: str, detail: str, status: int, elapsed_s: float) -> pb.StreamChatResponse:
    return pb.StreamChatResponse(
        kind=Kind.CHAT_EVENT_KIND_ERROR,
        error=stream_pb2.StreamError(reason=reason, detail=detail, status=status),
        elapsed_seconds=elapsed_s,
    )


def _history(question: Question, answer: Answer) -> list[chat_pb2.ChatMessage]:
    said = (
        *question.history,
        Said(role="user", content=question.message),
        Said(role="assistant", content=answer.response),
    )
    return [chat_pb2.ChatMessage(role=each.role, content=each.content) for each in said]


def _usage(usage: Usage | None) -> chat_pb2.ChatUsage | None:
    return None if usage is None else _counted(usage)


def _counted(usage: Usage) -> chat_pb2.ChatUsage:
    return chat_pb2.ChatUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_input_tokens=usage.cache_read_input_tokens,
        cache_creation_input_tokens=usage.cache_creation_input_tokens,
        turns=usage.turns,
        day_tokens=usage.day_tokens,
        day_budget=usage.day_budget,
    )


def _tool_call(call: ToolCall) -> chat_pb2.ChatToolCall:
    return chat_pb2.ChatToolCall(
        id=call.id,
        name=call.name,
        arguments=call.arguments,
        failed=call.failed,
        elapsed_seconds=call.elapsed_s,
        error=call.error,
    )


def _ticket(ticket: Ticket) -> chat_pb2.OrderTicket:
    message = chat_pb2.OrderTicket(
        code=ticket.code,
        account_id=ticket.account_id,
        summary=ticket.summary,
        order=ticket.arguments,
        tool=ticket.tool.name,
    )
    message.expires_at.FromDatetime(ticket.expires_at)
    if ticket.preview is not None:
        _fill_preview(message.preview, ticket.preview)

    return message


def _fill_preview(message: chat_pb2.PlaceOrderPreview, preview: PlaceOrderResponse) -> None:
    message.SetInParent()
    message.warnings.extend(preview.warnings)
    if preview.HasField("price"):
        message.price = preview.price

    if preview.HasField("buying_power_effect"):
        message.buying_power_effect.CopyFrom(preview.buying_power_effect)

    if preview.HasField("fee_calculation"):
        message.fee_calculation.CopyFrom(preview.fee_calculation)


def _confirmed(confirmed: Confirmed) -> pb.ConfirmedOrder:
    ticket, receipt = confirmed.ticket, confirmed.receipt
    return pb.ConfirmedOrder(
        code=ticket.code,
        account_id=ticket.account_id,
        summary=ticket.summary,
        order_id=receipt.id,
        status=receipt.status,
        warnings=receipt.warnings,
        client_order_id=receipt.client_order_id,
        tool=ticket.tool.name,
    )
