"""Models of chinook.sqlite, written by `holdall inspect`; yours to edit."""

from decimal import Decimal

from holdall import BelongsTo, Field, HasMany, Key, LocalDateTime, ManyToMany, Model


class Artist(Model, table="Artist"):
    artist_id: int = Key(column="ArtistId")
    name: str | None = Field(max_length=120, default=None, column="Name")

    albums: list["Album"] = HasMany("artist")


class Album(Model, table="Album"):
    album_id: int = Key(column="AlbumId")
    title: str = Field(max_length=160, column="Title")
    artist_id: int = Field(references=Artist, column="ArtistId")

    artist: Artist = BelongsTo("artist_id")
    tracks: list["Track"] = HasMany("album")


class Employee(Model, table="Employee"):
    employee_id: int = Key(column="EmployeeId")
    last_name: str = Field(max_length=20, column="LastName")
    first_name: str = Field(max_length=20, column="FirstName")
    title: str | None = Field(max_length=30, default=None, column="Title")
    reports_to: int | None = Field(
        default=None,
        references="Employee",
        column="ReportsTo",
    )
    birth_date: LocalDateTime | None = Field(default=None, column="BirthDate")
    hire_date: LocalDateTime | None = Field(default=None, column="HireDate")
    address: str | None = Field(max_length=70, default=None, column="Address")
    city: str | None = Field(max_length=40, default=None, column="City")
    state: str | None = Field(max_length=40, default=None, column="State")
    country: str | None = Field(max_length=40, default=None, column="Country")
    postal_code: str | None = Field(max_length=10, default=None, column="PostalCode")
    phone: str | None = Field(max_length=24, default=None, column="Phone")
    fax: str | None = Field(max_length=24, default=None, column="Fax")
    email: str | None = Field(max_length=60, default=None, column="Email")

    reports_to_employee: "Employee | None" = BelongsTo("reports_to")
    customers: list["Customer"] = HasMany("support_rep")
    reports: list["Employee"] = HasMany("reports_to_employee")


class Customer(Model, table="Customer"):
    customer_id: int = Key(column="CustomerId")
    first_name: str = Field(max_length=40, column="FirstName")
    last_name: str = Field(max_length=20, column="LastName")
    company: str | None = Field(max_length=80, default=None, column="Company")
    address: str | None = Field(max_length=70, default=None, column="Address")
    city: str | None = Field(max_length=40, default=None, column="City")
    state: str | None = Field(max_length=40, default=None, column="State")
    country: str | None = Field(max_length=40, default=None, column="Country")
    postal_code: str | None = Field(max_length=10, default=None, column="PostalCode")
    phone: str | None = Field(max_length=24, default=None, column="Phone")
    fax: str | None = Field(max_length=24, default=None, column="Fax")
    email: str = Field(max_length=60, column="Email")
    support_rep_id: int | None = Field(
        default=None,
        references=Employee,
        column="SupportRepId",
    )

    support_rep: "Employee | None" = BelongsTo("support_rep_id")
    invoices: list["Invoice"] = HasMany("customer")


class Genre(Model, table="Genre"):
    genre_id: int = Key(column="GenreId")
    name: str | None = Field(max_length=120, default=None, column="Name")

    tracks: list["Track"] = HasMany("genre")


class Invoice(Model, table="Invoice"):
    invoice_id: int = Key(column="InvoiceId")
    customer_id: int = Field(references=Customer, column="CustomerId")
    invoice_date: LocalDateTime = Field(column="InvoiceDate")
    billing_address: str | None = Field(
        max_length=70,
        default=None,
        column="BillingAddress",
    )
    billing_city: str | None = Field(max_length=40, default=None, column="BillingCity")
    billing_state: str | None = Field(
        max_length=40,
        default=None,
        column="BillingState",
    )
    billing_country: str | None = Field(
        max_length=40,
        default=None,
        column="BillingCountry",
    )
    billing_postal_code: str | None = Field(
        max_length=10,
        default=None,
        column="BillingPostalCode",
    )
    total: Decimal = Field(max_digits=10, decimal_places=2, column="Total")

    customer: Customer = BelongsTo("customer_id")
    invoice_lines: list["InvoiceLine"] = HasMany("invoice")


class MediaType(Model, table="MediaType"):
    media_type_id: int = Key(column="MediaTypeId")
    name: str | None = Field(max_length=120, default=None, column="Name")

    tracks: list["Track"] = HasMany("media_type")


class Playlist(Model, table="Playlist"):
    playlist_id: int = Key(column="PlaylistId")
    name: str | None = Field(max_length=120, default=None, column="Name")

    playlist_tracks: list["PlaylistTrack"] = HasMany("playlist")
    tracks: list["Track"] = ManyToMany("playlists", through="PlaylistTrack")


class Track(Model, table="Track"):
    track_id: int = Key(column="TrackId")
    name: str = Field(max_length=200, column="Name")
    album_id: int | None = Field(default=None, references=Album, column="AlbumId")
    media_type_id: int = Field(references=MediaType, column="MediaTypeId")
    genre_id: int | None = Field(default=None, references=Genre, column="GenreId")
    composer: str | None = Field(max_length=220, default=None, column="Composer")
    milliseconds: int = Field(column="Milliseconds")
    bytes_: int | None = Field(default=None, column="Bytes")
    unit_price: Decimal = Field(max_digits=10, decimal_places=2, column="UnitPrice")

    album: "Album | None" = BelongsTo("album_id")
    genre: "Genre | None" = BelongsTo("genre_id")
    media_type: MediaType = BelongsTo("media_type_id")
    invoice_lines: list["InvoiceLine"] = HasMany("track")
    playlist_tracks: list["PlaylistTrack"] = HasMany("track")
    playlists: list["Playlist"] = ManyToMany("tracks", through="PlaylistTrack")


class InvoiceLine(Model, table="InvoiceLine"):
    invoice_line_id: int = Key(column="InvoiceLineId")
    invoice_id: int = Field(references=Invoice, column="InvoiceId")
    track_id: int = Field(references=Track, column="TrackId")
    unit_price: Decimal = Field(max_digits=10, decimal_places=2, column="UnitPrice")
    quantity: int = Field(column="Quantity")

    invoice: Invoice = BelongsTo("invoice_id")
    track: Track = BelongsTo("track_id")


class PlaylistTrack(Model, table="PlaylistTrack"):
    playlist_id: int = Key(references=Playlist, column="PlaylistId")
    track_id: int = Key(references=Track, column="TrackId")

    playlist: Playlist = BelongsTo("playlist_id")
    track: Track = BelongsTo("track_id")
