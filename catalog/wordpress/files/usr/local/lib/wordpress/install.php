<?php
// Installs WordPress, or sets the admin's password where it is installed. The password comes by standard input.
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = $_SERVER['SERVER_NAME'] = 'localhost';
$password = trim(stream_get_contents(STDIN));
// Nobody is written to: the password is shown elsewhere, and there may be no way for mail.
function wp_new_blog_notification() {}
require '/usr/share/wordpress/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
if (!is_blog_installed()) {
    wp_install('My site', 'admin', 'admin@localhost.localdomain', true, '', $password);
    exit(is_blog_installed() ? 0 : 1);
}
wp_set_password($password, get_user_by('login', 'admin')->ID);
