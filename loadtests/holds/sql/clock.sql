SELECT public.scrip_clock();
