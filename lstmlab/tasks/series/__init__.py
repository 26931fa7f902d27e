"""Time series: forecasts, anomalies, returns."""
