"""Campaigns: planned, launched, closed and measured, in this order, with everything that decides fixed before the launch.

Rules:
1. A campaign is a closed document. It goes onto the public record when it is planned, and again, with the draw's outcome,
   before its first day; what is measured is what stands there. The record holds a salted commitment: nobody reads the plan off
   it, and nobody changes the plan afterwards.
2. The draw's seed comes into being with the plan. To draw again is to plan again, under another id, on the same record.
3. Who takes part is who permits being measured at the launch, and still does when it is measured. The customers are those of
   the read that the launch made: no list of them is kept here. Who said no in between is in neither side, and both sides say
   how many went.
4. A campaign is measured once. Asking again gives what was stored.
5. Figures here are exact, and for the retailer alone. Nothing of them goes to a supplier: what leaves is a pack (`insights`).
"""
