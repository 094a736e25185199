"""
The contract says of every field whether it must be sent.
"""

from collections.abc import Iterator

from google.api.field_behavior_pb2 import field_behavior
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor

from scrip.v1 import card_service_pb2
from tests.architecture.tree import refuse


def files_of(file: FileDescriptor) -> Iterator[FileDescriptor]:
    """
    Walk a file of ours and those of ours that it imports.
    """
    yield file
    for dependency in file.dependencies:
        if dependency.package == file.package:
            yield from files_of(dependency)


def messages_of(file: FileDescriptor) -> Iterator[Descriptor]:
    """
    Walk the messages of a file, nested ones too.
    """
    waiting: list[Descriptor] = list(file.message_types_by_name.values())
    while waiting:
        message = waiting.pop()
        yield message
        waiting.extend(message.nested_types)


def is_choice(field: FieldDescriptor) -> bool:
    """
    Tell whether a field is a member of a oneof that was written as one.
    """
    oneof = field.containing_oneof
    return oneof is not None and len(oneof.fields) > 1


def test_every_field_states_its_behavior() -> None:
    """
    Each field has a google.api.field_behavior; validation reads REQUIRED from it.

    A member of a oneof has none: which one is sent is the message's choice.
    """
    problems = sorted(
        {
            f"{message.full_name}.{field.name}"
            for file in files_of(card_service_pb2.DESCRIPTOR)
            for message in messages_of(file)
            for field in message.fields
            if not message.GetOptions().map_entry
            and not is_choice(field)
            and not field.GetOptions().Extensions[field_behavior]
        }
    )

    refuse(problems, "Add [(google.api.field_behavior) = …] to the field (AIP-203).")
