"""One deployment: reads and writes, with every error of the driver ended here.

A driver's text and details quote documents, so they go into no message, and our errors are raised outside
of the `except`: they carry no context either.

The driver repeats nothing by itself. Every write is an upsert that the engine sends again, so a repetition
that the server would recognise (retryWrites) adds requests and no certainty, and a stand-alone server
has none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from pymongo import MongoClient, UpdateOne, WriteConcern
from pymongo.errors import BulkWriteError, PyMongoError

from connectors.errors import ConnectorError, Denied, Rejected, Transient, Unauthorized, Unknown
from connectors.mongodb.failures import Failure, failure_of
from connectors.mongodb.hosts import Hosts
from connectors.mongodb.place import Place
from connectors.sent import Sent

Answer = TypeVar("Answer")
Document = dict[str, Any]  # BSON: what a value is depends on the document

CONNECT = 10.0  # seconds, at most, to reach a server, and to find one that takes writes
READS = frozenset({"aggregate", "connectionStatus", "listCollections", "listIndexes"})
STAGES = frozenset({"$documents", "$match", "$project"})
CODEC: CodecOptions[Document] = CodecOptions(
    document_class=dict,
    tz_aware=True,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="replace",  # somebody else's damaged text must not hide its siblings
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a server said of a bulk: how many statements it settled, which it refused and with which number.

    confirmed: a majority of the servers has what was applied; otherwise a failover may undo it.
    """

    settled: int
    refused: Mapping[int, tuple[int, bool]]  # position → (number, whether it is about the _id)
    confirmed: bool = True


class Client:
    """A pool of connections. Nothing is reached before the first use.

    Raises Rejected if the file of authorities that the url names cannot be read.

    read_only: what is no read is refused before it is sent.
    """

    def __init__(self, place: Place, answer: float, *, read_only: bool = False) -> None:
        self.sent = Sent()
        self._read_only = read_only
        self._hosts = Hosts(local=place.local)
        self._named = () if place.service else place.hosts  # a service's hosts are the driver's to find
        self._client = _made(place, answer)
        self._database = self._client.get_database(
            place.database, codec_options=CODEC, write_concern=WriteConcern("majority", j=True)
        )
        self.database = place.database

    def read(self, command: Document, *, on_admin: bool = False) -> Document:
        """The answer to a command that changes nothing. Raises Transient, Unauthorized or Rejected."""
        if not _is_read(command):
            raise Denied("read_only", "mongodb: a command that is no read was to be sent as one")
        database = self._client.admin if on_admin else self._database
        return self._asked(lambda: database.command(command, codec_options=CODEC))

    def find(
        self, collection: str, wanted: Document, names: Sequence[str] | None, most: int = 0
    ) -> list[Document]:
        """The documents with these fields, and the _id; whole, if none are named.

        Raises Transient, Unauthorized or Rejected.
        """
        shown = None if names is None else dict.fromkeys(names or ("_id",), 1)
        return self._asked(lambda: list(self._database[collection].find(wanted, shown, limit=most)))

    def write(self, collection: str, statements: Sequence[UpdateOne]) -> Told | Failure:
        """Send them all, each for itself. A failure is of the whole: what of it was applied is not known."""
        if self._read_only:
            raise Denied("read_only", "mongodb: this connection only reads")
        self._sure()
        self.sent.one()
        try:
            self._database[collection].bulk_write(list(statements), ordered=False)
        except BulkWriteError as error:
            return _told(error.details or {})
        except (PyMongoError, BSONError) as error:
            return failure_of(error)
        return Told(len(statements), {})

    def close(self) -> None:
        self._client.close()

    def _asked(self, ask: Callable[[], Answer]) -> Answer:
        self._sure()
        self.sent.one()
        try:
            return ask()
        except (PyMongoError, BSONError) as error:
            failure = failure_of(error)
        raise error_for(failure, written=False)

    def _sure(self) -> None:
        """Of the url's hosts, and of those that the servers themselves have led to: see there."""
        self._hosts.sure([*self._named, *self._client.nodes])


def _is_read(command: Document) -> bool:
    """Is it one of the commands, and of the stages of an aggregation, that change nothing?"""
    stages = [stage for each in command.get("pipeline", ()) for stage in each]
    return next(iter(command)) in READS and STAGES.issuperset(stages)


def error_for(failure: Failure, *, written: bool) -> ConnectorError:
    """The failure as an error. `written`: what was sent changes something."""
    message = f"mongodb: {failure.code}"
    if failure.kind == "unauthorized":
        return Unauthorized(failure.code, f"{message}: check the url, the user and its rights")
    if failure.kind == "lost" and written:
        return Unknown(failure.code, f"{message}: whether the documents were written must be looked up")
    if failure.kind in ("lost", "transient"):
        return Transient(failure.code, f"{message}: nothing was written, try again")
    return Rejected(failure.code, f"{message}: compare the collection with its declaration")


def _made(place: Place, answer: float) -> MongoClient[Document]:
    try:
        return _client(place, answer)
    except (PyMongoError, OSError):
        pass  # outside of the `except`: that error would carry the url's options
    message = "mongodb: an option of the url does not fit, or tlsCAFile cannot be read; correct the url"
    raise Rejected("bad_url", message)


def _client(place: Place, answer: float) -> MongoClient[Document]:
    options: dict[str, Any] = {name: value for name, value in place.options.items() if name != "tls"}
    if place.user is not None and place.password is not None:
        options |= {"username": place.user, "password": place.password.get_secret_value()}
    connect = round(min(CONNECT, answer) * 1000)
    hosts = ",".join(address.removeprefix("https://") for address in place.addresses)
    where = f"mongodb+srv://{place.hosts[0][0]}" if place.service else f"mongodb://{hosts}"
    return MongoClient(
        f"{where}/{place.database}",  # the database knows the user if nothing else is said
        connect=False,
        tls=place.options.get("tls", "false" if place.local else "true") == "true",
        appname="ferry",
        retryWrites=False,
        retryReads=False,
        timeoutMS=round(answer * 1000),  # of a whole command; the server itself ends what takes longer
        connectTimeoutMS=connect,
        serverSelectionTimeoutMS=connect,
        uuidRepresentation="standard",
        **options,
    )


def _told(details: Mapping[str, Any]) -> Told:
    refused = {
        int(each["index"]): (int(each["code"]), _is_about_id(each)) for each in details.get("writeErrors", ())
    }
    settled = int(details.get("nMatched", 0)) + int(details.get("nUpserted", 0)) + len(refused)
    return Told(settled, refused, confirmed=not details.get("writeConcernErrors"))


def _is_about_id(refusal: Mapping[str, Any]) -> bool:
    """Of a duplicate: is it the `_id` that is there? Servers before 4.4 say it in words alone."""
    if "keyPattern" in refusal:
        return list(refusal["keyPattern"]) == ["_id"]
    return " index: _id_ " in str(refusal.get("errmsg", ""))
