"""What handlers are given, by type: write `house: TheHouse`, `me: Me`, `visitor: Who`, `data: Form`.

`Me` is the safe way to a customer's number: whoever is not signed in never reaches the handler.
"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body

from volens.app import House
from volens.web.visitor import Customer, Visitor

TheHouse = NamedDependency[House]
Me = NamedDependency[Customer]
Who = NamedDependency[Visitor]
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
AnyRequest = Request[Any, Any, Any]
