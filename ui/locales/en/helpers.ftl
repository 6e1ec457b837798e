# Recovery helpers: choosing them, keeping a part, the notice on home, restoring with two of them.

helpers-title = Recovery helpers
helpers-about = People who can give your record back, two together
helpers-intro = Three people you trust each keep a part of a key. If every device of yours is lost, two of them can give you the way back.
helpers-two = Two of the three are needed, and the server.
helpers-alone-nothing = One alone can do nothing, and none of them can read your record.
helpers-wait = The server waits { $count } days and tells every device of yours. Until then you can stop it.
helpers-no-server = Recovery helpers need a server, and so does everybody you choose.
helpers-choose = Choose three helpers
helpers-choose-do = Choose them
helpers-choose-text = Who are your three?
helpers-people = You share a record with them:
helpers-number = Helper { $number }
helpers-others-code = Anybody else answers a code that you show, and you say whether it is them.
helpers-three = Three people are needed: write a name.
helpers-alike = These names are alike. Write them so that you can tell them apart.
helpers-passphrase = Type your passphrase. Earlier helpers help no more from then on.
helpers-chosen = Your helpers are chosen. Now each takes their part
helpers-replace = Choose others
helpers-end = No helpers any more
helpers-end-text = From then on nobody can give your record back. Type your passphrase.
helpers-end-do = End it
helpers-ended = There are no helpers any more
helpers-ready = They can help from now on.
helpers-not-ready = They cannot help yet: two of them must have their part.
helpers-not-stored = They cannot help yet: the server has not heard of it.
helpers-elsewhere = They were chosen on another device of yours. Only that one can hand out the parts.
helpers-account = Whoever restores must know your account. Write it down, or ask a helper:

helper-chosen = Has not been asked yet
helper-waiting = The code waits for them
helper-asking = Somebody answered
helper-handing = Their part is on its way
helper-kept = Keeps a part
helper-declined = Said no. Choose others
helper-code = Show the code
helper-code-text = Show this to { $name } only. In their Mecum: Settings, Recovery helpers, “I have a helper’s code”.
helper-is-it = { $other } answered. Is that { $name }?
helper-yes = Yes, it is { $name }

parts-title = You keep a part for
parts-none = You keep no part for anybody.
part-code = I have a helper’s code
part-code-text = Somebody asks you to be a recovery helper and shows you a code.
part-offer = { $name } asks you to be a recovery helper
part-offer-text = You keep a small part of a key. You cannot read anything with it. If they lose everything, they ask you for it: give it only after you have spoken to them.
part-accept = Yes, I keep it
part-decline = No
part-for = { $name }
part-waiting = The part is on its way
part-kept = You keep their part
part-old = They chose other helpers: this part is good for nothing
part-ended = It did not come about
part-tell = To restore they must know:
part-give = Give the part
part-give-text = Speak to { $name } first, by voice or face to face. Then type the code from the screen where they restore.
part-compare = Read these six words aloud with { $name }. The screen of { $device } must show the same six.
part-give-do = They are the same. Give the part
part-differ = They differ
part-given = Your part is on its way to { $name }
part-destroy = Destroy the part
part-destroy-question = Destroy the part of { $name }?
part-destroy-text = You cannot help them restore any more. Tell them, so that they choose somebody else.

asked-title = Somebody asks to restore your record
asked-text = Asked { $asked }. If nobody stops it, the server helps them from { $until }. They need two of your recovery helpers too.
asked-words = These six words stand on their screen:
asked-others = { $count ->
    [one] One more request waits behind this one. If you stop it, both end.
    [99] 99 or more requests wait behind this one. If you stop it, all of them end.
   *[other] { $count } more requests wait behind this one. If you stop it, all of them end.
}
asked-stop = Stop it
asked-stopping = You stopped it. The server hears of it when there is signal.
asked-me = This is me
asked-me-text = If it is you and you have this device, you need not wait: add the new device here.

byhelpers-title = Restore with recovery helpers
byhelpers-step = recovery helpers
byhelpers-lead = For when every device and the recovery kit are lost. Two of your helpers and the server bring your record back.
byhelpers-told = The server waits 7 days and tells every device of yours. You can switch this device off meanwhile.
byhelpers-server-hint = A helper sees it beside your name.
byhelpers-server-missing = Type the server’s address: a helper sees it.
byhelpers-account-hint = A helper sees it beside your name, and it stands on the paper of a recovery kit.
byhelpers-account-missing = Type the account: a helper sees it.
byhelpers-locked = You asked on this device before. Type the passphrase that you chose then.
byhelpers-waiting = The server waits until { $until }
byhelpers-waiting-text = Asked { $asked }. Helpers can give their parts meanwhile.
byhelpers-released = The server has waited, and nobody stopped it.
byhelpers-parts = { $got } of { $needed } parts
byhelpers-words = Your six check words. Each helper reads them aloud with you before giving a part:
byhelpers-code = Show a code for a helper
byhelpers-code-text = A helper opens Settings, Recovery helpers, “Give the part”, and types this.
byhelpers-look = Ask the server again
byhelpers-wrong = This part does not fit: it was altered, or is of earlier helpers.
byhelpers-finish = Type the passphrase that you chose when you asked.
byhelpers-finish-do = Restore my record
byhelpers-stopped = It was stopped on a device of this account, or the record was restored in another way.
byhelpers-over = The server does not know this request any more.
byhelpers-again = You can ask again from { $when }.
byhelpers-drop = Give up restoring here

