# First run, unlocking, joining an account from a new device.

unlock-title = Open your records
unlock-lead = Everything on this device is encrypted. It stays closed until you open it. No signal is needed.
unlock-passphrase = Passphrase
unlock-open = Open
unlock-opening = Opening
unlock-wait = { $seconds ->
    [one] You can try again in 1 second
   *[other] You can try again in { $seconds } seconds
}
unlock-note = Nobody can reset the passphrase, and nobody but you has it.

closed-in-use-title = Mecum is open already
closed-in-use-text = Another Mecum on this device has your records open. Two at once could spoil them, so this one waits.
closed-in-use-do = Use the other window, or close it and try again.
closed-damaged-title = Your records cannot be opened
closed-damaged-text = The file with your records is damaged or was written by a newer Mecum. Nothing was removed or changed.
closed-damaged-do = See what is damaged and put it right, or restore from a backup.

first-title = Your health records, with you
first-lead = Mecum keeps the records of you and your family on your own devices, encrypted, also without signal.
first-start = Start a record
first-join = I have another device
first-promise-sealed = Records are encrypted on this device before anything is saved.
first-promise-offline = All of it works without signal and without an account anywhere.
first-promise-key = Only your passphrase opens them. We do not have it and cannot reset it.
first-promise-write-down = Write the passphrase down and keep it with your papers. Without it, nobody can open your records.
first-step = Step { $at } of { $of }: { $name }
first-step-passphrase = passphrase
first-step-about = about you
first-passphrase-title = Choose a passphrase
first-passphrase-lead = It makes the key for your records. We do not have it and cannot reset it.
first-passphrase-hint = Six words made on this device: easy to say out loud, hard for others to guess. You can write your own instead.
first-other-words = Six other words
first-again = Type it again
first-again-missing = Type the passphrase here as well.
first-again-differs = The two are not the same. Check word { $at }.
first-strength-0 = Too short
first-strength-1 = Easy to guess
first-strength-2 = Not enough yet
first-strength-3 = Good
first-strength-4 = Strong
first-continue = Continue
first-about-title = Whose record is this?
first-about-lead = Your own comes first. You can add family members later.
first-name = Name
first-name-hint = As people call you, for example “Ibu Ratna”.
first-name-missing = Write a name.
first-born = Date of birth
first-device = Name of this device
first-device-hint = Your other devices show it, so that you know where something was written.
first-device-default = My device
first-make = Make my record
first-making = Making your record

passphrase-too-short = This is too short. Use six words, or at least 14 characters.
passphrase-too-long = This is too long. Use at most 1,000 characters.
passphrase-too-common = Many people use this one. Choose other words.
passphrase-too-repetitive = This repeats itself. Choose words that differ.
passphrase-weak = This is too easy to guess. Choose other words.

join-step-code = the code
join-title = Join with another device
join-lead = On the device that has your records, open Settings, Devices, “Add a device”. It shows a code.
join-code = The code
join-code-hint = Type the words, or paste the text of the code.
join-code-missing = Type the words that the other device shows.
join-server = Server address
join-server-hint = It stands beside the words.
join-server-missing = Words need the server’s address: it stands beside them.
join-own-passphrase = This device gets a passphrase of its own. It can be the same as on the other one.
join-waiting-title = Waiting for your other device
join-waiting-text = Look at the other device and say that this one is yours.
join-working-title = Bringing everything over
join-working-text = Everything arrives encrypted and is opened only on this device.
join-done-title = This device is yours
join-done-text = It now has the whole record and goes on exchanging what you write.
join-ended-title = This device was not added
join-safe = The code shows that both devices are yours. The server cannot read what passes through it.
join-working-mark = Working
join-open = Open my records

error-passphrase = { $tries ->
    [one] This passphrase does not open it. 1 wrong try; nothing is lost.
   *[other] This passphrase does not open it. { $tries } wrong tries; nothing is lost.
}
error-passphrase-do = Check capitals and spaces between the words.
error-waiting = Too many tries in a row. Nothing is lost.
error-waiting-do = Wait a moment, then try again.
error-locked = Your records are locked.
error-locked-do = Open them with your passphrase.
error-no-vault = There are no records on this device yet.
error-no-vault-do = Start a record, or join with another device.
error-vault-exists = There are records on this device already.
error-vault-exists-do = Open them with their passphrase.
error-in-use = Another Mecum on this device has your records open.
error-in-use-do = Use the other window, or close it and try again.
error-damaged = The file with your records is damaged. Nothing was removed.
error-damaged-do = Put back a copy of the folder if you have one, or bring the records over from another device.
error-too-new = Your records were written by a newer Mecum. Nothing was changed.
error-too-new-do = Use the newer Mecum to open them.
