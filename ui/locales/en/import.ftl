# Bringing a file in.

import-title = Bring a file
import-intro = A health record from a hospital, a clinic or another app: a FHIR R4 bundle or an International Patient Summary, up to 64 MB.
import-stays = The file is read on this device. Nothing leaves it, and nothing is kept before you say so.
import-choose = Choose a file
import-drop = or drop it here
import-receiving = Reading { $name }
import-receiving-count = { $done } of { $total }
import-looking = Looking at what it holds
import-stop = Stop
import-stop-safe = If you stop, the record is as it was.
import-found = { $count ->
    [one] This file holds { $shown } item
   *[other] This file holds { $shown } items
}
import-about = It is about
import-about-unknown = The file does not say whom it is about.
import-born = born { $when }
import-gender-male = male
import-gender-female = female
import-gender-other = other
import-gender-unknown = gender not known
import-holds = What it holds
import-whose = Whose record is this?
import-fits = Same name and birth date
import-fits-too = Same name and birth date as another record here: choose which one it is.
import-other-name = Another name or birth date: choose only if you are sure.
import-new-chart = A new record for { $name }
import-new-chart-unknown = A new record
import-new-chart-text = Nobody else’s record is touched.
import-choose-first = Choose whose record it is
import-keep = Keep it for { $name }
import-keep-new = Start a record for { $name }
import-cancel = Do not keep it
import-keeping = Keeping { $done } of { $total } items
import-keeping-text = All or nothing: the record changes only when every item is kept.
import-done-title = { $count ->
    [one] { $shown } item added
   *[other] { $shown } items added
}
import-done-already = { $count ->
    [one] { $shown } was there already and stays as it is.
   *[other] { $shown } were there already and stay as they are.
}
import-done-none-title = Everything was there already
import-done-none-text = All { $shown } items of this file are in the record. Nothing was changed.
import-done-open = Open the record
import-done-again = Bring another file
import-stopped-title = Stopped
import-stopped-text = Nothing of the file was kept. The record is as it was.
import-failed-title = This file was not kept
import-safe = The record is as it was. Nothing was added.
import-try-another = Choose another file
import-read-failed = This device could not read the file.
import-read-failed-do = Copy it to this device first, then choose it again.

error-file-large = This file is larger than { $limit } MB.
error-file-large-do = Ask for the record in parts, or for a summary.
error-file-empty = This file is empty.
error-file-empty-do = Ask for it again, or choose another.
error-file-text = This is not a text file: it cannot be read from byte { $byte } on.
error-file-text-do = Choose the file with the record itself, not an archive or a picture of it.
error-file-json = This is not a readable health record: the text is garbled at line { $line }, column { $column }.
error-file-json-do = The file may be damaged on its way. Ask for it again.
error-file-truncated = The file ends too early, at line { $line }, column { $column }.
error-file-truncated-do = It may have been cut off while it was sent. Ask for it again.
error-file-not-fhir = This is not a health record bundle.
error-file-not-fhir-do = Ask for a FHIR R4 bundle or an International Patient Summary.
error-file-resource = One part of the file cannot be read: { $path }, line { $line }.
error-file-resource-do = Ask for the file again. If it stays so, send its maker this message.
error-file-many = This file holds more than { $limit } items.
error-file-many-do = Ask for the record in parts, or for a summary.
error-file-nobody = This file does not say whom it is about, so no new record can be named after it.
error-file-nobody-do = Choose one of your records, or make a new one first.
error-import-busy = Another file is being kept right now.
error-import-busy-do = Wait until it is done, then choose this one again.
error-import-gone = This import has ended.
error-import-gone-do = Choose the file again. The record is as it was.
error-import-order = This step is not possible now.
error-import-order-do = Choose the file again. The record is as it was.
error-import-piece = A piece of the file did not arrive as it should.
error-import-piece-do = Choose the file again. The record is as it was.
