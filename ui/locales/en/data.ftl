# "Your data": checking, backups, mending; erasing and moving entries.

data-title = Your data
data-about = Check it, back it up, put it right
data-opening = Looking

check-title = Check the records on this device
check-text = Mecum reads everything that is kept on this device and says whether it is as it was written. You can go on working meanwhile.
check-begin = Check now
check-stop = Stop
check-running = Checking, { $percent } %
check-stopped = The check was stopped. Nothing was changed.
check-failed = The check could not be finished. Nothing was changed.
check-sound = Everything is as it was written: { $looked } parts, checked { $when }.
check-found = Not everything is as it was written. Checked { $when }. Nothing was removed.

finding-file = Parts of the file cannot be read.
finding-older-file = The last saves are missing: an older file stands here.
finding-identity = Who this device is cannot be read.
finding-bookkeeping = Notes about sections and the exchange are damaged.
finding-record = Parts of the record are damaged.
finding-lists = Lists that are made from the record are damaged.
finding-unsent = The note of what waits to be sent is damaged.
finding-settings = Settings or notes about files are damaged.
finding-put-aside = What was put aside before is damaged.
finding-by-here = This device can put it right.
finding-by-part = The server has this part: only it is fetched and checked, when there is signal. Everything else stays.
finding-by-server = The server has it: everything is fetched anew when there is signal.
finding-by-backup = Only a backup, the recovery kit or another device has it.
finding-by-nothing = Nothing is lost by it.

backup-title = Back up
backup-text = A backup is a copy of everything on this device, encrypted with the same passphrase. It is read back before it counts.
backup-none = There is no backup yet. What was never sent to a server is on this device only.
backup-old = The last backup is { $count } days old: { $when }.
backup-last = Last backup: { $when }
backup-folder = Copy them to another disk too. They lie in
backup-passphrase = Type your passphrase, so that nobody else copies your records.
backup-make = Make a backup
backup-stop = Stop the backup
backup-running = Making the backup and reading it back, { $percent } %
backup-done = The backup is there, and it was read back.
backup-stopped = The backup was stopped. Nothing of it stays.
backup-failed = No backup was made. Your records are as they were.
backup-how-restore = To put a backup in place of what is here, lock Mecum and choose “Restore from a backup”.
backup-aside = Set aside here, { $when }
backup-restore = Restore
backup-restore-title = Restore from a backup
backup-restore-lead = A backup takes the place of what is on this device. What is here now is set aside and not removed.
backup-restore-passphrase = Type the passphrase that your records had when this backup was made.
backup-none-here = There is no backup in the folder. Copy one into it and look again.
backup-look-again = Look again

mend-title = Put it right
mend-text = What is good stays. What is damaged is made again from it, or fetched from the server and checked. The damaged file is set aside and not removed.
mend-do = Put it right
mend-passphrase = Type your passphrase. Mecum locks while it works and opens again by itself.
mend-running = Putting it right
mend-failed = It could not be put right.
mend-as-it-was = What is here is as it was before.
mend-nothing = Nothing was damaged.
mend-done = Everything is right again.
mend-partly = A part is right again. This is still missing:
mend-entries = { $count ->
    [one] 1 entry stands.
   *[other] { $count } entries stand.
}
mend-unsent = { $count ->
    [one] 1 change that was not sent is kept.
   *[other] { $count } changes that were not sent are kept.
}
mend-by-here = It was made again from what is good here.
mend-by-part = Only what was damaged was fetched from the server.
mend-by-server = Everything was fetched anew from the server.
mend-aside = The damaged file is kept as

closed-look = See what is damaged
closed-look-text = Type your passphrase: without it nothing can be looked at. Nothing is changed.
closed-look-do = Look

aside-begin = Begin anew
aside-question = Set these records aside and begin anew?
aside-text = This device is empty then. The records stay in the folder, and you can put them back with “Restore from a backup” and their passphrase.
aside-do = Set them aside


erase-head = Who may see it
erase-begin = Erase for good
erase-looking = Looking who may have read it
erase-question = Erase “{ $title }” from the record of { $name } for good?
erase-text = It goes from every device that follows this record, with its history. Nobody can bring it back.
erase-read-by = They may have read it, and keep what they read:
erase-read-by-none = Nobody else could read it.
erase-reads-now = Sees it now
erase-devices = { $count ->
    [one] Your other device does the same when it exchanges next.
   *[other] Your { $count } other devices do the same when they exchange next.
}
erase-from-file = It came from a file. Bringing the same file in again does not bring it back.
erase-waits = It waits until the server has heard of it. Until then you can stop it.
erase-reason-hint = Everybody in the section can read it: write nothing of the entry here.
erase-do = Erase for good
move-question = Move “{ $title }” to the sensitive entries?
move-text = From then on only those see it who may see sensitive entries. It cannot take back what was read.
move-do = Move to sensitive
move-back-question = Move “{ $title }” out of the sensitive entries?
move-back-text = Whoever may see that section sees it from then on.
move-back-do = Move out of sensitive
erasing-waits = The erasing waits for the server
moving-waits = The move waits for the server
erasing-waits-text = Nothing was done yet. It is done when there is signal, and until then it can be stopped.
erasing-stop = Stop it
erasing-refused = It could not be erased
erasing-refused-text = Whatever could not be erased stands as it was. You can erase it again.
moving-refused = It could not be moved
moving-refused-text = It stands where it was, and may already stand where it was to go as well. Move it again, and it stands in one place.
erasing-forget = Take this off the list
erased-title = Erased and moved, record of { $name }
erased-none = Nothing was erased or moved.
erased-something = Something in { $section }
erased-done = Erased for good
erased-cleared = Left behind after a removal
moved-sensitive = Moved to sensitive
moved-back = Moved out of sensitive
erased-by = By { $name }
erased-late = { $count ->
    [one] 1 change that was written here meanwhile is gone with it.
   *[other] { $count } changes that were written here meanwhile are gone with it.
}

error-erasing-already = It is signed already and cannot be stopped any more.
error-moving-already = It is written where it goes already, and still stands where it was. It cannot be stopped half-way.
error-moving-already-do = Wait until it is done, or move it again. Then it can be moved back.
error-not-manager = Only whoever owns this record, or may let others in, can do this.
error-settle-first = Two values stand in this entry. Nothing was changed.
error-settle-first-do = Settle them first, then move it.
error-there-already = It is there already.
