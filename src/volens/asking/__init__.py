"""Asking people, at joining, at the moment of use, at the till and on paper; and recording what they answer.

Rules:
1. Nobody permits anything without having been asked, and no answer is no.
2. At most one question a visit and three a year for each person; for one purpose never again within six months of a no, of a
   "not now", or of a question that got no answer, wherever that was (`budget`).
3. Nobody is asked for what stands permitted, nor for what their age closes to them.
4. The question and its record are one transaction: two browsers at once are asked once.
5. Each answer holds the digest of the text and of the question exactly as it was shown, its language and its surface.
6. A yes is taken under the text in force alone; a no always.
"""
