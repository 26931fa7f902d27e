// Clicks in the table of runs. One listener for all of them: a Dash callback per button would be called for every row
// whenever the table is refreshed.
document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-click]');
    if (button) {
        dash_clientside.set_props('clicked', {data: {what: button.dataset.click, value: button.dataset.value, at: Date.now()}});
    }
});
