# Devices, the server and pairing.

devices-title = Devices
devices-intro = Each of these devices has the whole record and its own passphrase.
devices-opening = Opening the devices
devices-list = Your devices
devices-this = This one
devices-last = Last exchange { $when }
devices-last-unknown = Not heard from yet
devices-add = Add a device
devices-add-needs-server = Connect to a server first: two devices meet there.
devices-server = Exchange with the server
devices-server-none = No server: everything stays on this device.
devices-server-none-text = To have the record on a second device, connect to a server. It stores only sealed data and cannot read any of it.
devices-server-address = Address
devices-server-address-hint = For example https://mecum.example.org
devices-server-code = One-time code
devices-server-code-hint = From whoever runs the server. It works once.
devices-server-connect = Connect
devices-server-connecting = Connecting
devices-server-connected = Connected to the server
devices-server-at = Server
devices-server-last = Last answer
devices-server-never = No answer yet
devices-exchange-now = Exchange now
devices-exchanging = Exchanging
devices-phase-no-server = No server
devices-phase-offline = No signal. Nothing is lost.
devices-phase-working = Exchanging
devices-phase-up-to-date = Nothing waits
devices-phase-refused = The server refuses
devices-quarantined = { $count ->
    [one] 1 batch was put aside because it could not be checked. Nothing else is affected.
   *[other] { $count } batches were put aside because they could not be checked. Nothing else is affected.
}

pair-title = Add a device
pair-intro = Open Mecum on the other device, choose “I have another device”, and give it this code.
pair-start = Make a code
pair-starting = Making the code
pair-scan = Scan this
pair-qr-label = Pairing code as a QR code. The same code stands beside it in words.
pair-or-words = or type these words
pair-server = and this server address
pair-left = { $time } left
pair-expired-soon = The code ends soon. You can make a new one at any time.
pair-once = The code works once. Show it to nobody else: whoever has it could ask to join.
pair-waiting = Waiting for the other device
pair-asking-title = Is { $name } yours?
pair-asking-text = It gave the right code and asks for the whole record of everyone you look after. Say yes only if you are holding it.
pair-approve = Yes, add { $name }
pair-refuse = No, it is not mine
pair-working = Bringing everything over to { $name }
pair-working-text = You can go on using both devices.
pair-done-title = { $name } is added
pair-done-text = Both devices now show the same and exchange what you write.
pair-done-back = To the devices
pair-ended-title = No device was added
pair-ended-text = Nothing was shared.
pair-again = Make a new code
pair-stop = Stop
pair-other-unnamed = the other device
