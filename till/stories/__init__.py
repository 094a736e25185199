"""
Tell stories beside the real shoppers: a restaurant, a kiosk, a lost card, a canteen.

Owns their stores, cards and steps, and what the gateway has to answer to each step,
counted here and not there. Like all of till it must not import gateway; the plans read
no clock and no network.
"""
