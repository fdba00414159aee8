"""`volens ingest`: products, people and purchases come in; `--explain` says what would happen, and writes nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from volens.cli.say import bar, clock, errors, house_option, json_option, speaking, tell


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@house_option
@click.option("--mapping", "mapping_file", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="What the feed's columns mean. Without it: proposed by --explain.")
@click.option("--explain", is_flag=True, help="Read the first 1,000 lines, propose a mapping, write nothing.")
@click.option("--new-source", is_flag=True, help="These are other tills than those of the known source that looks the same.")
@click.option("--products", is_flag=True, help="FILE is the public list of products.")
@json_option
@speaking
def ingest(
    file: Path, house: Path, mapping_file: Path | None, explain: bool, new_source: bool, products: bool, as_json: bool
) -> None:
    """Take FILE in: purchases from tills or the web, the customer master, or (--products) the list of products.

    Not sure what your file needs?  volens ingest --explain FILE
    """
    from volens.app import open_house
    from volens.errors import MappingError
    from volens.ingest.mapping import load

    mapping = load(mapping_file) if mapping_file is not None else None
    with open_house(house, clock=clock()) as opened:
        if products:
            loaded = opened.load_products(file)
            text = f"{loaded.total:,} products are known: {loaded.added:,} new, {loaded.changed:,} changed."
            tell(vars(loaded), text, as_json)
            return
        if explain:
            explained = opened.explain(file, mapping)
            tell(explained.to_dict(), explained.to_text(), as_json)
            return
        if mapping is None:
            raise MappingError(f"What do the columns of {file.name} mean?", f"Run: volens ingest --explain {file}")
        with bar(file.name) as told:
            if mapping.contents == "customers":
                people = opened.take_in_people(file, mapping, told)
                value, text = vars(people), people.to_text()
            else:
                summary = opened.take_in(file, mapping, told, new_source=new_source)
                value, text = summary.to_dict(), summary.to_text()
        opened.checkpoint()
    tell(value, text, as_json)
    if value.get("refused") and not value.get("lines_accepted", value.get("people")) and not value.get("duplicate_lines"):
        errors.print(f"[bold red]✗[/] Not one line of {file.name} could be taken in: the mapping is probably wrong.")
        errors.print(f"  [dim]→[/] Run: volens ingest --explain {file}")
        sys.exit(2)
