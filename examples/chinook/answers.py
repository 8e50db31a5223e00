"""Questions to the Chinook music shop; the answers do not depend on the store that is asked."""

from __future__ import annotations

from decimal import Decimal

from examples.chinook.models import Customer, Employee, Invoice, Playlist, Track

from holdall import Store, agg, desc


def total_sales(store: Store) -> Decimal | None:
    """The sum of all invoices, exact to the cent."""
    return store[Invoice].query().sum(Invoice.total)


def tracks_of(store: Store, artist: str) -> list[tuple[str, int]]:
    """The tracks on the albums of an artist, longest first: name and milliseconds."""
    found = store[Track].where(Track.album.artist.name == artist).order_by(desc(Track.milliseconds))
    return [(track.name, track.milliseconds) for track in found]


def customers_per_representative(store: Store) -> list[tuple[str, int]]:
    """How many customers each employee looks after, by last name."""
    found = store[Customer].query().group_by("support_rep.last_name").order_by("support_rep.last_name")
    return [(row["support_rep.last_name"], row["customers"]) for row in found.values("support_rep.last_name", customers=agg.count())]


def employee_tree(store: Store) -> list[str]:
    """Who reports to whom, one line each, indented."""
    everyone = store[Employee].query().order_by(Employee.employee_id).include(Employee.reports).all()
    by_id = {employee.employee_id: employee for employee in everyone}

    def lines(employee: Employee, depth: int) -> list[str]:
        below = [line for report in employee.reports for line in lines(by_id[report.employee_id], depth + 1)]
        return [f"{'  ' * depth}{employee.first_name} {employee.last_name}, {employee.title}", *below]

    return [line for employee in everyone if employee.reports_to is None for line in lines(employee, 0)]


def playlists_with(store: Store, track: str) -> list[str]:
    """The names of the playlists that hold a track of that name, over the table that links them."""
    found = store[Track].where(Track.name == track).include(Track.playlists).all()
    return sorted({playlist.name or "" for one in found for playlist in one.playlists})


def longest_playlist(store: Store) -> tuple[str | None, int]:
    """The playlist with the most tracks, and how many these are."""
    found = store[Playlist].query().include(Playlist.playlist_tracks).all()
    longest = max(found, key=lambda playlist: (len(playlist.playlist_tracks), -playlist.playlist_id))
    return longest.name, len(longest.playlist_tracks)
