"""Replays the records: does everything that is stored follow from the events, and do the events stand as they were signed?"""
