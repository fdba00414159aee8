"""What people are asked is published by two people, and whether it was understood is known.

    workflow       written → approved → published: the whole workflow as data
    store          who approved what, and what of it stands on the public record
    station        `house.publishing`: approve, publish, decline, compare, ask whether it was understood
"""
