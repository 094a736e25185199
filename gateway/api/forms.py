"""
Check a request's form, as its descriptor states it.

What is REQUIRED, which enum values exist and which messages lie inside others is read
once from the descriptors, so that the contract and the check cannot drift apart.
"""

from collections.abc import Callable
from typing import NamedTuple

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway.api.field_rules import TEXT_RULES, TextRule
from gateway.domain.errors import InvalidRequestError


class FieldProblem(NamedTuple):
    """
    A field that is wrong, by its path, and what to send instead.
    """

    path: str
    description: str


class InvalidFieldsError(InvalidRequestError):
    """
    A request with fields that are wrong; names every one of them.
    """

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__(problems[0].path, problems[0].description)
        self.problems = problems


_Check = Callable[[Message, list[FieldProblem], str], None]

_MISSING = "is missing: it is required"
_TEXT = FieldDescriptor.TYPE_STRING
_ENUM = FieldDescriptor.TYPE_ENUM
_MESSAGE = FieldDescriptor.TYPE_MESSAGE


class Form:
    """
    What one message must look like.
    """

    __slots__ = ("_checks",)

    def __init__(self, descriptor: Descriptor) -> None:
        checks = [_check_of(field) for field in descriptor.fields]
        self._checks = tuple(check for check in checks if check is not None)

    def require(self, message: Message) -> None:
        """
        Raise InvalidFieldsError with every field that is wrong, if any is.
        """
        problems: list[FieldProblem] = []
        self.collect(message, problems, "")
        if problems:
            raise InvalidFieldsError(tuple(problems))

    def collect(
        self, message: Message, problems: list[FieldProblem], prefix: str
    ) -> None:
        """
        Add the message's problems, with `prefix` before their paths.
        """
        for check in self._checks:
            check(message, problems, prefix)


def _is_required(field: FieldDescriptor) -> bool:
    behaviors = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    return field_behavior_pb2.REQUIRED in behaviors


def _check_of(field: FieldDescriptor) -> _Check | None:
    required = _is_required(field)
    if field.type == _TEXT:
        return _text_check(field.name, TEXT_RULES[field.name], required=required)
    if field.type == _ENUM and field.enum_type is not None:
        known = frozenset(field.enum_type.values_by_number)
        return _enum_check(field.name, known, required=required)
    if field.type == _MESSAGE and field.message_type is not None:
        return _message_check(field.name, Form(field.message_type), required=required)
    if required and field.has_presence:
        return _presence_check(field.name)
    # A number without presence cannot be told from 0, which is a value like others.
    return None


def _text_check(name: str, rule: TextRule, *, required: bool) -> _Check:
    def check(message: Message, problems: list[FieldProblem], prefix: str) -> None:
        text = getattr(message, name)
        if text:
            fault = rule(text)
            if fault is not None:
                problems.append(FieldProblem(prefix + name, fault))
        elif required:
            problems.append(FieldProblem(prefix + name, _MISSING))

    return check


def _enum_check(name: str, known: frozenset[int], *, required: bool) -> _Check:
    names = ", ".join(str(number) for number in sorted(known) if number)
    unknown = f"is a number that this version does not know: send one of {names}"

    def check(message: Message, problems: list[FieldProblem], prefix: str) -> None:
        number = getattr(message, name)
        if number not in known:
            problems.append(FieldProblem(prefix + name, unknown))
        elif required and not number:
            problems.append(FieldProblem(prefix + name, _MISSING))

    return check


def _message_check(name: str, form: Form, *, required: bool) -> _Check:
    def check(message: Message, problems: list[FieldProblem], prefix: str) -> None:
        if message.HasField(name):
            form.collect(getattr(message, name), problems, f"{prefix}{name}.")
        elif required:
            problems.append(FieldProblem(prefix + name, _MISSING))

    return check


def _presence_check(name: str) -> _Check:
    def check(message: Message, problems: list[FieldProblem], prefix: str) -> None:
        if not message.HasField(name):
            problems.append(FieldProblem(prefix + name, _MISSING))

    return check
