# Hospitals: connected, connecting, what they publish.

hospitals-title = Hospitals
hospitals-opening = Opening the hospitals
hospitals-connect-title = Connect a hospital
hospitals-connect-short = Connect
hospitals-unnamed = The hospital
hospitals-joining = Waits for the yes of its desk.
hospitals-member = Connected.
hospitals-left = Left. It reads nothing new.
hospitals-talks = { $count ->
    [one] One conversation.
   *[other] { $count } conversations.
}
hospitals-leave = Leave
hospitals-leave-title = Leave { $name }?
hospitals-leave-text = It reads nothing that is said later. What was said stays with both of you. The record is not touched.
hospitals-leave-reason = Why
hospitals-leave-hint = The hospital reads it. You can leave this empty.
hospitals-leave-do = Leave the hospital
hospitals-stay = Stay connected
hospitals-kept = Read here, not connected
hospitals-find = Look a hospital up
hospitals-link = Link of the hospital
hospitals-link-hint = It begins with mecum:hospital and stands on its posters and letters. You need no account, and nobody is told that you read it.
hospitals-read = Read what it offers
hospitals-connect-lead = Type the twelve words that the desk of the hospital gave you, or paste its code.
hospitals-code = Code of the desk
hospitals-code-hint = Each code is for one patient, and is used once.
hospitals-code-open = Open the code
hospitals-already = The record of { $name } is connected with this hospital already.
hospitals-whose = For the record of { $name }. To connect another record, open it first.
hospitals-means-read = The hospital reads what you write to it here, and answers.
hospitals-means-not = It reads nothing of the record. You share parts of it only if you choose to.
hospitals-means-leave = You can leave at any time. What was said stays with both.
hospitals-connect-do = Connect for { $name }
hospitals-other-code = Use another code
hospitals-waiting = { $name } has to say yes
hospitals-waiting-text = Tell the desk your name. What you ask now waits here and goes as soon as { $name } has said yes.
hospitals-waiting-mark = Waiting. You may leave this page.
hospitals-working = Letting { $name } in
hospitals-working-text = { $name } said yes. This finishes by itself when there is signal.
hospitals-done = Connected with { $name }
hospitals-done-text = You can ask { $name } for a visit, write a question or complain, with or without signal.
hospitals-ended = Not connected
hospitals-ended-text = Nothing was shared with { $name }. Ask the desk for another code.
hospitals-settings-about = Connect, leave, read what they offer
notice-read-done = Read again.
notice-again = Read again
notice-open = Open now
notice-closed = Closed now
notice-dates = Published { $published }. Read here { $fetched }.
notice-old = This is more than 30 days old. Times and prices may have changed.
notice-first-sight = Nobody has vouched for this yet. Connect at the desk of the hospital to be sure that it is theirs.
notice-hours = Opening hours
notice-span = { $from } to { $to }
notice-day-closed = Closed
notice-services = Services
notice-free = { $count ->
    [0] No free times published
    [one] 1 free time
   *[other] { $count } free times
}
notice-people = Doctors and nurses
notice-speaks = Speaks { $languages }
notice-ladders = Who answers you
notice-answers = answers within { $hours } opening hours
notice-outside = outside the hospital: { $reach }
notice-pledge = What the hospital promises
notice-terms = What it may do with what you share
notice-help = Help that does not wait
notice-emergency = Not for emergencies. Call 119.
notice-link = Link of this hospital
notice-link-text = Whoever opens it reads what you read here, with no account.
