# Home, "Where your things are", and "Whose record?".

home-opening = Opening home
home-needs = Needs you
home-needs-count = { $shown } of { $total }
home-needs-all = Show all { $total }
home-nothing = Nothing needs you.
home-latest = Newest in all records
home-all = All of the record
home-family = Records
home-empty-title = Your records are empty
home-empty-text = What you write and what you bring from a hospital will show here, newest first.
home-import = Bring a file
home-add = Write something

need-clash = { $title }: two values written
need-clash-dose = { $title }: two doses written
need-device = { $name } asks to be added
need-quarantine = Something could not be checked
need-wrote = { $value } on { $device }, { $when }
need-wrote-short = { $value } on { $device }
need-cleared = nothing
need-device-about = Only say yes if you are holding it.
need-quarantine-about = It was put aside. Everything else goes on.
need-settle = Settle
need-read = Read
need-look = Look

people-title = Whose record?
people-switch = Whose record? Open another
people-own = Your record
people-managed = { $relation }, you manage this record
people-managed-age = { $age }, { $relation }
people-add = Add a person
people-add-do = Make this record
people-relation = Who is this to you?
people-colour = Colour of this record
people-edit = Change name or colour
people-edit-do = Save
colour-nila = Indigo, slanted lines
colour-manggis = Mangosteen, ovals
colour-kunyit = Turmeric, diamonds
colour-toska = Turquoise, bars
colour-bata = Brick, triangles
colour-lumut = Moss, dots
colour-kopi = Coffee, crosses
people-needs = { $count ->
    [one] 1 needs you
   *[other] { $count } need you
}
people-unreadable = This record cannot be read on this device. The others go on working.
people-unreadable-flag = Not readable
people-nothing-yet = Nothing written yet
people-entries = { $count ->
    [one] { $shown } item
   *[other] { $shown } items
}

where-title = Where your things are
where-opening = Looking where your things are
where-device = On this device: nobody else has these yet
where-sent = Sent: stored at the server, not yet picked up
where-received = Received: another device signed for it
where-none = None
where-newest = { $count ->
    [one] The newest one is shown.
   *[other] The newest { $count } are shown.
}
where-more = Show { $count } more
where-and-more = { $count ->
    [one] and one more
   *[other] and { $shown } more
}
where-written = Written { $when }
where-sent-at = Sent { $when }
where-received-by = { $by }, { $when }
where-no-server = Everything stays on this device.
where-no-server-text = No server was chosen. To have it on a second device as well, connect to one: it stores only sealed data.
where-offline = No signal. Nothing is lost.
where-offline-since = No signal since { $time }. Nothing is lost.
where-offline-waits = { $count ->
    [one] You can keep working. One thing waits on this device and goes by itself when there is signal.
   *[other] You can keep working. { $count } things wait on this device and go by themselves when there is signal.
}
where-offline-nothing-waits = You can keep working. Nothing waits on this device.
where-working = Exchanging with the server
where-up-to-date = Last exchange { $time }
where-nothing-waits = Nothing waits.
where-refused = The server refuses. Nothing is lost.
where-quarantined = { $count ->
    [one] One batch was put aside because it could not be checked or shown. What builds on it waits; everything else goes on.
   *[other] { $count } batches were put aside because they could not be checked or shown. What builds on them waits; everything else goes on.
}
where-connect = Connect to a server
where-exchange = Exchange now
