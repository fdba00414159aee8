"""The gateway for marketing messages: the tools that send mail, SMS, push, calls and post ask it before each message.

1. The decision is made when a message is about to be sent, at the door, on record. A list that a tool made yesterday decides
   nothing: who said no since gets nothing from it.
2. Why somebody gets nothing is told to no tool: unknown, not permitted, suppressed, enough this month all look the same. What is
   so for everybody (a channel that is not declared, an hour at which nobody is called) is said, with what to do.
3. What may go is told with what must go with it: the headers of the one-click unsubscription (RFC 8058), the sender's legal name
   and the right to object, in the person's language; in her first message the right to object stands first, and apart.
4. Who objected stays protected after she is erased and after her address comes in again: what is kept of an address is a keyed
   hash, for this alone (`suppression`). It gives way only to a yes that was said later, by somebody who has this address.
"""
