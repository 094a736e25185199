SELECT bench.place_holds(
    %(first)s, %(last)s, %(amount)s, %(start)s, make_interval(secs => %(spread_s)s)
);
