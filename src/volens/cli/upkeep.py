"""`volens nightly`: what has to happen once a day, to the purchases and to what people are sent."""

from __future__ import annotations

from pathlib import Path

import click

from volens.cli import doorways
from volens.cli.say import bar, clock, house_option, json_option, speaking, tell


@click.command()
@house_option
@json_option
@speaking
def nightly(house: Path, as_json: bool) -> None:
    """Keep the purchases in order: append, move, remove, compact, delete; end device permissions that nobody uses; write who has
    to be taken off platforms' lists; send the pages of the year that are due. Run it once a day, best at night.

    Killed anywhere, the same command again does the rest.
    """
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        with bar("the purchases") as told:
            night = opened.upkeep.nightly(told)
        lapsed, swept, ads = opened.devices.lapse(), opened.reminders.sweep(), opened.sponsored.sweep()
        lists, old = opened.audiences.work(), opened.messages.tidy()
        invited = opened.referring.night()
        pages, text = doorways.nightly(opened)
        offers, rewards = opened.offering.nightly(), opened.wallet.nightly()
        incidents = opened.told.check()
        opened.checkpoint()
    said = f"{night.to_text()}\n  lapsed      {lapsed:,} device permissions that were not used\n"
    said += f"  habits      {swept:,} of people who permit it no more\n"
    said += f"  profiles    {ads:,} for advertisements, likewise\n{text}"
    if invited.released or invited.counted:
        said += f"\n  invitations {invited.released:,} that nobody decided are let go, {invited.counted:,} that waited are counted"
    if any(rewards.values()):
        said += f"\n  rewards     {rewards['matured']:,} became available, {rewards['expired']:,} vouchers ended"
    if any(offers.values()):
        said += f"\n  offers      {offers['over']:,} participations are over, {offers['told']:,} letters about offers that stopped"
    if lists["people"]:
        said += f"\n  lists       {lists['people']:,} people to be taken off: volens audience removals"
    for one in incidents:
        said += f"\n  INCIDENT    {one.name}: used and not told: {', '.join(one.items)}; closed: volens told"
    night_told = {"incidents": len(incidents)}
    other = night_told | {"lapsed": lapsed, "swept": swept, "ads": ads, "doorways": pages, "audiences": lists, "messages": old}
    other |= {"wallet": rewards, "offers": offers, "invitations": vars(invited)}
    tell({**night.to_dict(), **other}, said, as_json)
