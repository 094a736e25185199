-- Workers tell a card that one transaction keeps from one that goes from hand to hand.
GRANT SELECT (xmax) ON card TO scrip_gateway;
