SELECT bench.fund(t.terminal_id, %(amount)s, %(limit)s) FROM public.terminal AS t;
