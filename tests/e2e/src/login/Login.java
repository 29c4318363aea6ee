import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.DriverManager;
import java.sql.SQLException;

/** Reads JDBC URLs, one a line, logs in with each and says as whom, or that it was refused. Never repeats a URL. */
class Login {
    public static void main(String[] arguments) throws Exception {
        DriverManager.setLoginTimeout(20);
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String url = input.readLine(); url != null; url = input.readLine()) {
            System.out.println(answer(url));
            System.out.flush();
        }
    }

    private static String answer(String url) {
        try (var connection = DriverManager.getConnection(url);
                var statement = connection.createStatement();
                var rows = statement.executeQuery("select current_user")) {
            rows.next();
            return "in " + rows.getString(1);
        } catch (SQLException refused) {
            return "refused " + refused.getSQLState();
        }
    }
}
