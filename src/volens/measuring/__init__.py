"""Did it work: figures about campaigns, from arrays alone. Nothing here opens a purchase, knows a person or asks the time.

1. What is measured is declared before the launch and handed in; no function here chooses it after looking.
2. No figure without its interval; no figure about fewer than `ARM_MIN` people.
3. An experiment (`holdout`, `effect`) may say what a campaign caused. A comparison without one (`observational`) may not, and its
   type has no place to say it.
"""
