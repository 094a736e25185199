INSERT INTO device_certificate (sha256, device_id)
SELECT %(sha256)s, d.device_id FROM device AS d;
